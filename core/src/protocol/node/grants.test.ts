import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Grants, type Reservation } from './grants.js'
import { FAIRNESS_MS } from './limits.js'
import { Slots } from './slots.js'
import { ready } from './testing/ready.js'

function setup(slots: Record<string, number>, total = 100) {
  const counted = new Slots()
  counted.offer(slots, total)
  return { slots: counted, grants: new Grants(counted, { node: 'n', boot: 1 }) }
}

/** What a reservation took, as a plain object. */
function taken(reservation: Reservation | undefined): Record<string, number> {
  return Object.fromEntries(reservation?.counts ?? [])
}

test('a submission gets a free slot for the task that it makes ready', () => {
  const { grants, slots } = setup({ echo: 2 })
  assert.deepEqual(taken(grants.reserve(new Map([['echo', 1]]), 0)), { echo: 1 })
  assert.equal(slots.free('echo'), 1)
})

test('no more slots are reserved than there are, per service and in all', () => {
  const { grants } = setup({ echo: 5, sleep: 5 }, 6)
  assert.deepEqual(taken(grants.reserve(new Map([['echo', 9]]), 0)), { echo: 5 })
  assert.deepEqual(taken(grants.reserve(new Map([['sleep', 9]]), 0)), { sleep: 1 })
  assert.equal(grants.reserve(new Map([['sleep', 1]]), 0), undefined)
})

test('a service that is not offered gets none', () => {
  assert.equal(setup({ echo: 5 }).grants.reserve(new Map([['gone', 1]]), 0), undefined)
})

test('what an applied entry did not use is free again, what it dispatched is not', () => {
  const { grants, slots } = setup({ echo: 4 })
  const reservation = grants.reserve(new Map([['echo', 3]]), 0)
  assert.ok(reservation)
  grants.carriedBy(1, 10, reservation)
  assert.equal(grants.dispatched(1, 10, 'echo'), true)
  grants.applied(1, 10)
  assert.equal(slots.free('echo'), 3)
})

test('a dispatch without a reserved slot is noticed', () => {
  const { grants } = setup({ echo: 4 })
  assert.equal(grants.dispatched(1, 10, 'echo'), false)
})

test('two entries of one arc are not both promised the same ready task', () => {
  const { grants } = setup({ echo: 10 })
  grants.setDemand(1, ready({ echo: 1 }), 0)
  assert.equal(grants.takeStarts(0).length, 1)
  assert.equal(grants.takeStarts(0).length, 0)
})

test('an arc whose earlier entries are still on their way is granted more once they are applied', () => {
  const { grants } = setup({ echo: 10 })
  grants.setDemand(1, ready({ echo: 3 }), 0)
  const [start] = grants.takeStarts(0)
  assert.ok(start)
  grants.carriedBy(1, 5, start.reservation)
  grants.setDemand(1, ready({ echo: 5 }), 0)
  assert.deepEqual(
    grants.takeStarts(0).map(({ reservation }) => taken(reservation)),
    [{ echo: 2 }],
  )
  grants.applied(1, 5)
  assert.deepEqual(
    grants.takeStarts(0).map(({ reservation }) => taken(reservation)),
    [{ echo: 3 }],
  )
})

test('the task that has been ready for longest is started first, by a start command to its arc', () => {
  const { grants } = setup({ echo: 1 })
  grants.setDemand(1, ready({ echo: 5 }, 1001), 0)
  grants.setDemand(2, ready({ echo: 5 }, 1000), 0)
  const starts = grants.takeStarts(0)
  assert.deepEqual(
    starts.map(({ arc, reservation }) => [arc, taken(reservation)]),
    [[2, { echo: 1 }]],
  )
})

test('new work gets the slots that are left beside what waits, and overtakes nothing', () => {
  const { grants, slots } = setup({ echo: 2 })
  grants.setDemand(1, ready({ echo: 1 }), 0)
  const fresh = new Map([['echo', 2]])
  assert.deepEqual(taken(grants.reserve(fresh, 0)), { echo: 1 })
  assert.equal(grants.reserve(fresh, 0), undefined)
  assert.equal(slots.free('echo'), 1)
})

test('new work passes what waits at a lower priority', () => {
  const { grants } = setup({ echo: 1 })
  grants.setDemand(1, ready({ 'echo/4': 1 }), 0)
  assert.deepEqual(taken(grants.reserve(new Map([['echo', 1]]), 0)), { echo: 1 })
})

test('whatever arcs they are in, tasks are started in the order in which they became ready', () => {
  const { grants, slots } = setup({ echo: 1 })
  const queues = new Map([
    [1, [10, 50, 60]],
    [2, [20, 30, 70]],
    [3, [40]],
  ])
  const told = (arc: number): void => {
    const [since = 0] = queues.get(arc) ?? []
    grants.setDemand(arc, ready({ echo: queues.get(arc)?.length ?? 0 }, since), 0)
  }
  for (const arc of queues.keys()) told(arc)
  const started: (number | undefined)[] = []
  for (let index = 1; grants.hasStarts; index += 1) {
    for (const { arc, reservation } of grants.takeStarts(0)) {
      grants.carriedBy(arc, index, reservation)
      grants.dispatched(arc, index, 'echo')
      started.push(queues.get(arc)?.shift())
      told(arc)
      grants.applied(arc, index)
      slots.giveBack('echo', 1)
    }
  }
  assert.deepEqual(started, [10, 20, 30, 40, 50, 60, 70])
})

test('a freed slot goes to the best priority, however long a worse one has waited', () => {
  const { grants } = setup({ echo: 1 })
  grants.setDemand(2, ready({ echo: 5 }), 0)
  grants.setDemand(1, ready({ 'echo/8': 1 }), FAIRNESS_MS + 1)
  assert.deepEqual(
    grants.takeStarts(FAIRNESS_MS + 1).map(({ arc }) => arc),
    [1],
  )
})

test('new work of an arc does not overtake better priorities elsewhere', () => {
  const { grants } = setup({ echo: 1 })
  grants.setDemand(1, ready({ 'echo/6': 1 }), 0)
  assert.equal(grants.reserve(new Map([['echo', 1]]), 0), undefined)
})

test('starts go by priority over all services, then to the service that has waited longest', () => {
  const { grants } = setup({ echo: 5, sleep: 5 }, 3)
  grants.setDemand(1, ready({ 'echo/0': 1, sleep: 1 }), 0)
  grants.setDemand(2, ready({ 'sleep/9': 1 }), 5)
  grants.setDemand(3, ready({ echo: 1 }), 2)
  const starts = grants.takeStarts(9)
  assert.deepEqual(
    starts.map(({ arc, reservation }) => [arc, taken(reservation)]),
    [
      [2, { sleep: 1 }],
      [1, { sleep: 1 }],
      [3, { echo: 1 }],
    ],
  )
})

test('demand that is gone is forgotten, one priority without the other', () => {
  const { grants } = setup({ echo: 5 })
  grants.setDemand(1, ready({ 'echo/9': 1, echo: 1 }), 0)
  grants.setDemand(1, ready({ echo: 1 }), 1)
  assert.deepEqual(
    grants.takeStarts(2).map(({ reservation }) => taken(reservation)),
    [{ echo: 1 }],
  )
  assert.equal(grants.hasStarts, false)
})

test('arcs whose tasks are of one age are served in turn, the longest waiting first', () => {
  const { grants, slots } = setup({ echo: 1 })
  for (const arc of [1, 2, 3]) grants.setDemand(arc, ready({ echo: 9 }), 0)
  const served: number[] = []
  for (let round = 0; round < 6; round += 1) {
    for (const { arc, reservation } of grants.takeStarts(round)) {
      served.push(arc)
      grants.carriedBy(arc, round, reservation)
      grants.dispatched(arc, round, 'echo')
      grants.applied(arc, round)
      slots.giveBack('echo', 1)
    }
  }
  assert.deepEqual(served, [1, 2, 3, 1, 2, 3])
})

test('a ready task of one service is served although another has a constant backlog', () => {
  const { grants, slots } = setup({ busy: 100, rare: 100 }, 1)
  const served: string[] = []
  grants.setDemand(1, ready({ busy: 1000 }), 0)
  grants.setDemand(2, ready({ rare: 1 }), 1)
  for (let round = 2; round < 5; round += 1) {
    for (const { arc, reservation } of grants.takeStarts(round)) {
      const [service = ''] = reservation.counts.keys()
      served.push(service)
      grants.carriedBy(arc, round, reservation)
      grants.dispatched(arc, round, service)
      grants.applied(arc, round)
      if (service === 'rare') grants.setDemand(2, ready({}), round)
      slots.giveBack(service, 1)
    }
  }
  assert.deepEqual(served, ['busy', 'rare', 'busy'])
})

test('a completion leaves its slot to a task of another service that has waited too long', () => {
  const { grants } = setup({ busy: 1, rare: 1 }, 1)
  grants.setDemand(3, ready({ rare: 1 }), 0)
  grants.setDemand(1, ready({ busy: 1000 }), FAIRNESS_MS)
  assert.equal(grants.reserve(new Map([['busy', 1]]), FAIRNESS_MS + 1), undefined)
})

test('a service may have the name of a member that every object has', () => {
  const { grants, slots } = setup({ constructor: 2 })
  const reservation = grants.reserve(new Map([['constructor', 1]]), 0)
  assert.ok(reservation)
  assert.deepEqual(grants.grantOf(reservation).slots, { constructor: 1 })
  grants.carriedBy(1, 5, reservation)
  grants.applied(1, 5)
  assert.equal(slots.free('constructor'), 2)
})
