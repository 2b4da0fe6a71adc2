/** Jobs that every node knows: declared, and run by tests. */
export { order } from './order.js'
export { textIndex } from './text-index.js'
