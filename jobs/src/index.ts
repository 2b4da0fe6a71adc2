export type * from './spec/json.js'
export type * from './spec/plan.js'
