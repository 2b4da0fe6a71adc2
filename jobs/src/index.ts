/** @gyre/jobs: the language of work. What a submitter writes and everybody else reads. */
export * from './spec/define-job.js'
export type * from './spec/json.js'
export * from './spec/limits.js'
export type * from './spec/plan.js'
export * from './spec/pointer.js'
export * from './spec/submission.js'
export * from './spec/template.js'
