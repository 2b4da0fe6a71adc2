/** What a program needs that runs a Gyre node inside itself. */
export { type NodeOptions, type RunningNode, startNode } from './cli/node/start-node.js'
export { VERSION } from './cli/version.js'
