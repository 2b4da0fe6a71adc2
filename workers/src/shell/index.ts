/** Built-in services that run programs. */
export { run } from './run.js'
