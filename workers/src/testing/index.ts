/** @gyre/workers/testing: runs handlers without a node. */
export * from './fake-dht.js'
export * from './test-clock.js'
export * from './test-context.js'
export * from './run-service.js'
