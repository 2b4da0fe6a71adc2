/** Built-in services that speak HTTP. */
export { request } from './request.js'
