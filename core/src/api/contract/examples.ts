/**
 * Bodies that the documents page offers to send. Each is accepted by a node with its built-in
 * services and jobs, because a reader presses "Execute" before reading on.
 */

const ORDER = { sku: 'mug', quantity: 1, amount: 12.5, card: '4242', address: 'Harbour 1' }

export const SUBMISSION_EXAMPLES = [
  { job: 'order', input: ORDER, labels: { shop: 'harbour' } },
  { service: 'test.echo', input: { hello: 'ring' } },
  {
    steps: {
      first: { service: 'test.echo', input: { $from: '/input' } },
      second: {
        service: 'test.echo',
        needs: ['first'],
        input: { $from: '/steps/first/output' },
        retry: { attempts: 3, delay: '1s' },
      },
    },
    input: { n: 1 },
    output: { $from: '/steps/second/output' },
    delay: '5s',
  },
]

export const BATCH_EXAMPLES = [
  {
    jobs: SUBMISSION_EXAMPLES.slice(0, 2).map((job, at) => ({ ...job, idempotencyKey: `a-${at}` })),
  },
]

export const ACTIONS_EXAMPLES = [
  { action: 'cancel', filter: { status: 'queued', 'label.shop': 'harbour' }, dryRun: true },
]

export const RECORD_EXAMPLES = [{ stock: 12 }]
