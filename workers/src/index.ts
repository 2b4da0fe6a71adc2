/** @gyre/workers: what a plugin imports to declare services and jobs. */
export * from './sdk/index.js'
