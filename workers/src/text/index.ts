/** Services on text files: `text.*`. */
export { count } from './count.js'
export { list } from './list.js'
export { merge } from './merge.js'
export { report } from './report.js'
export { search } from './search.js'
