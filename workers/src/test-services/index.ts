/** Services for trying things: `test.*`. */
export { block } from './block.js'
export { echo } from './echo.js'
export { fail } from './fail.js'
export { flaky } from './flaky.js'
export { sleep } from './sleep.js'
