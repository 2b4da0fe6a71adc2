/** A small shop whose services fail when an order asks them to: for trying compensation. */
export { charge } from './card.js'
export { ship } from './parcel.js'
export { release, reserve } from './stock.js'
