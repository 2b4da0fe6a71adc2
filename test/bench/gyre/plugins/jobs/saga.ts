const ONCE = { attempts: 1 }

/** Three steps in a row; the last may fail, then two are undone. */
export const saga = {
  name: 'bench.saga',
  steps: {
    first: { service: 'bench.step', input: { $from: '/input' } },
    second: { service: 'bench.step', needs: ['first'], input: { $from: '/input' } },
    third: { service: 'bench.last', needs: ['second'], input: { $from: '/input' }, retry: ONCE },
  },
}
