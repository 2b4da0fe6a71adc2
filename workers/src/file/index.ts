/** Built-in services on files inside one folder of the node. */
export { list, read, remove, write } from './services.js'
