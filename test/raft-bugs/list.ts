/**
 * Bugs that the tests of Raft must notice (protocol §12.4 and our own): each is planted in the compiled
 * code of a child process by a module load hook. An entry whose text is not there exactly once is stale.
 *
 * Long on purpose: a table with a row for each bug.
 */
export interface PlantedBug {
  readonly name: string
  readonly edits: readonly RaftEdit[]
}

/** File below core/dist/protocol/raft, exact text, and what replaces it. */
export type RaftEdit = readonly [file: string, find: string, replace: string]

/** Exit code that tells a stale bug from one that a test has noticed. */
export const STALE_EXIT = 17

export const PLANTED_BUGS: readonly PlantedBug[] = [
  // ---- durability ----
  {
    name: 'ack-append-before-sync',
    edits: [
      [
        'follower.js',
        "state.sendDurable(message.from, { kind: 'append-accepted'",
        "state.send(message.from, { kind: 'append-accepted'",
      ],
    ],
  },
  {
    name: 'vote-answer-before-sync',
    edits: [
      [
        'election.js',
        "state.sendAfterTerm(from, { kind: 'vote-response'",
        "state.send(from, { kind: 'vote-response'",
      ],
    ],
  },
  {
    name: 'vote-request-before-own-vote-durable',
    edits: [['candidate.js', 'state.sendAfterTerm(voter, body)', 'state.send(voter, body)']],
  },
  {
    name: 'own-vote-counts-before-sync',
    edits: [
      [
        'candidate.js',
        'state.castOwnVote();',
        'state.castOwnVote(); this.#answers.set(state.self.replicaId, true);',
      ],
    ],
  },
  {
    name: 'leader-counts-itself-before-sync',
    edits: [
      [
        'replication.js',
        'replicaId === self.replicaId ? log.durable',
        'replicaId === self.replicaId ? log.lastIndex',
      ],
    ],
  },
  {
    name: 'single-voter-shortcut',
    edits: [
      [
        'replication.js',
        'config.voters.length === 1 ? log.durable : 0',
        'config.voters.length === 1 ? log.lastIndex : 0',
      ],
    ],
  },
  {
    name: 'completion-of-older-term-attests',
    edits: [
      [
        'replica-state.js',
        'if (mark.term === this.#term)\n            this.log',
        'if (true)\n            this.log',
      ],
    ],
  },
  {
    name: 'completion-attests-by-index-alone',
    edits: [
      [
        'log.js',
        'if ((this.termAt(index) ?? 0) === term && index > this.#durable)',
        'if (index <= this.#lastIndex && index > this.#durable)',
      ],
    ],
  },
  {
    name: 'truncation-keeps-durable',
    edits: [['log.js', 'this.#durable = Math.min(this.#durable, this.#lastIndex);', '']],
  },
  {
    name: 'any-write-releases-all',
    edits: [
      ['durable-queue.js', 'waiting.write <= write)', 'true)'],
      ['durable-queue.js', 'waiting.write > write)', 'false)'],
    ],
  },
  {
    name: 'duplicate-append-acked-at-once',
    edits: [
      [
        'replica-state.js',
        'this.hasRecords ? this.#queue.next : this.#queue.lastTaken',
        'this.hasRecords ? this.#queue.next : 0',
      ],
    ],
  },
  {
    name: 'heartbeat-answer-before-term-durable',
    edits: [
      ['replica-state.js', 'this.#hardStateChanged ? this.#queue.next : this.#hardStateWrite', '0'],
    ],
  },
  {
    name: 'applies-before-durable',
    edits: [
      [
        'replica-state.js',
        'return Math.min(this.#commit, this.log.durable);',
        'return this.#commit;',
      ],
    ],
  },
  {
    name: 'snapshot-done-before-write',
    edits: [
      [
        'follower.js',
        "this.#state.sendDurable(to, { kind: 'snapshot-done'",
        "this.#state.send(to, { kind: 'snapshot-done'",
      ],
    ],
  },
  {
    name: 'hard-state-before-vote-forgotten',
    edits: [
      [
        'replica-state.js',
        'this.#vote = candidate;\n        this.#hardStateChanged = true;',
        'this.#vote = candidate;',
      ],
    ],
  },
  {
    name: 'records-of-a-term-without-hard-state',
    edits: [
      [
        'replica-state.js',
        'this.#vote = null;\n        this.#hardStateChanged = true;',
        'this.#vote = null;',
      ],
    ],
  },
  {
    name: 'replaced-entries-acknowledged',
    edits: [['replica-state.js', 'this.#withdraw(index);', '']],
  },
  // ---- elections ----
  {
    name: 'vote-forgotten-at-restart',
    edits: [['replica-state.js', 'this.#vote = start.vote;', 'this.#vote = null;']],
  },
  {
    name: 'two-votes-in-a-term',
    edits: [
      [
        'election.js',
        'const isFree = state.vote === from.replicaId || (state.vote === null && !sight.hasLeader);\n    const granted = isFree && ',
        'const granted = ',
      ],
      [
        'replica-state.js',
        "assert(this.#vote === null || this.#vote === candidate, 'V1: one vote in one term');",
        '',
      ],
    ],
  },
  {
    name: 'no-election-restriction',
    edits: [
      [
        'election.js',
        'const granted = isFree && isUpToDate(state, message);',
        'const granted = isFree;',
      ],
    ],
  },
  {
    name: 'restriction-by-length-only',
    edits: [
      [
        'election.js',
        'return lastTerm > own.lastTerm || (lastTerm === own.lastTerm && lastIndex >= own.lastIndex);',
        'return lastIndex >= own.lastIndex;',
      ],
    ],
  },
  {
    name: 'restriction-by-term-only',
    edits: [
      [
        'election.js',
        '(lastTerm === own.lastTerm && lastIndex >= own.lastIndex)',
        'lastTerm === own.lastTerm',
      ],
    ],
  },
  {
    name: 'lower-term-pre-vote-dropped',
    edits: [['election.js', 'return answer(false);', "return ignored('older-term');"]],
  },
  {
    name: 'stickiness-off-for-votes',
    edits: [
      ['raft.js', "return this.#role.sight.isSticky ? 'leader-alive' : null;", 'return null;'],
    ],
  },
  {
    name: 'stickiness-off-for-pre-votes',
    edits: [['election.js', 'if (candidateTerm > state.term && sight.isSticky)', 'if (false)']],
  },
  {
    name: 'stickiness-for-ever',
    edits: [
      [
        'follower.js',
        'isSticky: silentMs < this.#state.timing.electionMsMin',
        'isSticky: this.leader !== null',
      ],
    ],
  },
  {
    name: 'pre-vote-adopts-term',
    edits: [
      [
        'raft.js',
        "if (message.kind === 'pre-vote') {",
        "if (message.kind === 'pre-vote') { if (message.candidateTerm > this.#state.term) this.#state.adoptTerm(message.candidateTerm);",
      ],
    ],
  },
  {
    name: 'minority-wins',
    edits: [
      [
        'quorum.js',
        'return Math.floor(count / 2) + 1;',
        'return Math.max(1, Math.floor(count / 2));',
      ],
    ],
  },
  {
    name: 'strangers-votes-count',
    edits: [
      [
        'quorum.js',
        'for (const { replicaId } of config.voters) {\n        const answer = answers.get(replicaId);',
        'for (const answer of answers.values()) {',
      ],
    ],
  },
  {
    name: 'old-pre-vote-answers-count',
    edits: [['candidate.js', 'if (message.candidateTerm !== this.#state.term + 1)', 'if (false)']],
  },
  {
    name: 'check-quorum-off',
    edits: [['leader.js', 'if (!this.#replication.isMajorityActive(config.voters))', 'if (false)']],
  },
  {
    name: 'learners-count-for-check-quorum',
    edits: [
      [
        'leader.js',
        'isMajorityActive(config.voters)',
        'isMajorityActive([...config.voters, ...config.learners])',
      ],
    ],
  },
  {
    name: 'learner-campaigns',
    edits: [
      [
        'standing.js',
        "return voterIn(config, this.#self.replicaId) === undefined ? 'not-a-voter' : null;",
        'return null;',
      ],
    ],
  },
  {
    name: 'transfer-before-caught-up',
    edits: [['leader.js', 'if (progress?.match !== this.#state.log.lastIndex)', 'if (false)']],
  },
  {
    name: 'transfer-never-aborted',
    edits: [
      ['leader.js', 'if (this.#transfer !== null && now >= this.#transfer.until)', 'if (false)'],
    ],
  },
  {
    name: 'transfer-vote-not-marked',
    edits: [
      [
        'candidate.js',
        "this.#ask({ kind: 'vote', transfer,",
        "this.#ask({ kind: 'vote', transfer: false,",
      ],
    ],
  },
  {
    name: 'timeout-now-from-anybody',
    edits: [['follower.js', 'if (from.replicaId !== this.leader?.replicaId)', 'if (false)']],
  },
  { name: 'stale-term-not-answered', edits: [['raft.js', 'if (expectsAnswer)', 'if (false)']] },
  {
    name: 'disk-stalled-leader-heartbeats',
    edits: [
      [
        'replication.js',
        'heartbeat(position) {\n        if (this.isSilent)',
        'heartbeat(position) {\n        if (false)',
      ],
    ],
  },
  {
    name: 'disk-stalled-leader-appends',
    edits: [
      [
        'replication.js',
        'if (peer === undefined || this.isSilent || peer.progress.isPaused)',
        'if (peer === undefined || peer.progress.isPaused)',
      ],
    ],
  },
  {
    name: 'disk-stalled-votes',
    edits: [
      [
        'standing.js',
        "if (this.diskStalled)\n            return 'disk-stalled';\n        if (config.voters",
        'if (config.voters',
      ],
    ],
  },
  {
    name: 'quarantined-votes',
    edits: [['raft.js', "if (out !== null && message.kind !== 'removed')", 'if (false)']],
  },
  {
    name: 'suspect-votes-for-anybody',
    edits: [
      [
        'standing.js',
        "return tail !== null && lacks(candidate, tail) ? 'tail-suspect' : null;",
        'return null;',
      ],
    ],
  },
  {
    name: 'suspicion-ends-too-soon',
    edits: [
      [
        'standing.js',
        'if (this.#suspectTail !== null && !lacks(end, this.#suspectTail))',
        'if (true)',
      ],
    ],
  },
  {
    name: 'inert-replica-votes',
    edits: [['standing.js', 'if (config.voters.length === 0)', 'if (false)']],
  },
  // ---- log ----
  {
    name: 'figure-8',
    edits: [
      [
        'leader.js',
        'if (held >= this.termStartIndex && held > this.#state.commitIndex)',
        'if (held > this.#state.commitIndex)',
      ],
    ],
  },
  {
    name: 'commit-beyond-what-fits',
    edits: [
      [
        'follower.js',
        'Math.min(message.commit, match)',
        'Math.min(message.commit, state.log.lastIndex)',
      ],
    ],
  },
  {
    name: 'no-log-matching',
    edits: [
      [
        'follower.js',
        'if (prevIndex > state.commitIndex && state.log.termAt(prevIndex) !== prevTerm)',
        'if (prevIndex > state.log.lastIndex)',
      ],
    ],
  },
  {
    name: 'late-append-cuts',
    edits: [['follower.js', 'return log.termAt(index) !== term;', 'return true;']],
  },
  {
    name: 'follower-hint-off-by-one',
    edits: [
      [
        'follower.js',
        'const hintIndex = log.lastNotAbove(prevIndex, prevTerm);',
        'const hintIndex = Math.max(0, log.lastNotAbove(prevIndex, prevTerm) - 1);',
      ],
    ],
  },
  {
    name: 'leader-hint-off-by-one',
    edits: [['progress.js', 'Math.min(prevIndex, hint + 1)', 'Math.min(prevIndex, hint + 2)']],
  },
  {
    name: 'stale-rejection-taken-for-loss',
    edits: [['progress.js', 'if (number <= this.#numberAtMatch)', 'if (false)']],
  },
  {
    name: 'loss-never-noticed',
    edits: [
      [
        'progress.js',
        "this.hasRegressed = true;\n            return 'regressed';",
        "return 'stale';",
      ],
    ],
  },
  {
    name: 'regressed-still-counts',
    edits: [['progress.js', 'return this.hasRegressed ? 0 : this.#match;', 'return this.#match;']],
  },
  {
    name: 'heartbeat-names-full-commit',
    edits: [
      [
        'replication.js',
        'const commit = Math.min(progress.match, commitIndex);',
        'const commit = commitIndex;',
      ],
    ],
  },
  {
    name: 'no-empty-append-when-full',
    edits: [
      [
        'replication.js',
        "if (isBehind || progress.state === 'probe')\n            this.feed(id, true);",
        "if (isBehind || progress.state === 'probe')\n            this.feed(id, false);",
      ],
    ],
  },
  {
    name: 'window-unbounded',
    edits: [
      [
        'progress.js',
        'return length >= INFLIGHT_MESSAGES_MAX || this.#inflightChars >= INFLIGHT_CHARS_MAX;',
        'return false;',
      ],
    ],
  },
  { name: 'window-never-freed', edits: [['progress.js', 'this.#freeUpTo(match);', '']] },
  {
    name: 'probe-unpaused',
    edits: [
      [
        'progress.js',
        "if (this.#state === 'probe') {\n            this.#isPaused = true;",
        "if (this.#state === 'probe') {",
      ],
    ],
  },
  {
    name: 'snapshot-of-committed-accepted',
    edits: [
      [
        'follower.js',
        'if (index <= state.commitIndex)\n            return true;\n        if (state.log.termAt(index) !== term)',
        'if (state.log.termAt(index) !== term)',
      ],
      [
        'replica-state.js',
        "assert(snapshot.index > this.#commit, 'V2: a snapshot takes nothing back');",
        '',
      ],
    ],
  },
  {
    name: 'snapshot-cuts-a-matching-log',
    edits: [
      [
        'follower.js',
        'if (state.log.termAt(index) !== term)\n            return false;',
        'return false;',
      ],
    ],
  },
  {
    name: 'install-not-checked-again',
    edits: [
      ['follower.js', 'const isNeeded = !this.#isSuperfluous(snapshot);', 'const isNeeded = true;'],
    ],
  },
  {
    name: 'log-cut-under-a-snapshot',
    edits: [['replication.js', 'limit = Math.min(limit, progress.snapshot.index);', '']],
  },
  {
    name: 'snapshot-never-expires',
    edits: [
      [
        'replication.js',
        'if (this.#state.now - progress.snapshotHeardAt < SNAPSHOT_SILENCE_MS)',
        'if (true)',
      ],
    ],
  },
  {
    name: 'uncommitted-never-given-back',
    edits: [
      [
        'replica-state.js',
        'this.#uncommittedChars -= this.log.entry(index)?.payload.length ?? 0;',
        '',
      ],
    ],
  },
  {
    name: 'release-before-durable',
    edits: [
      [
        'log.js',
        'const count = Math.min(index, this.#durable) - this.#tailStart + 1;',
        'const count = index - this.#tailStart + 1;',
      ],
      [
        'replica-state.js',
        "assert(index <= this.applicableIndex, 'V2: releases what is not committed');",
        '',
      ],
    ],
  },
  {
    name: 'compaction-forgets-term',
    edits: [['log.js', 'this.#baseTerm = this.termAt(index) ?? 0;', 'this.#baseTerm = 0;']],
  },
  {
    name: 'reset-keeps-terms',
    edits: [
      ['log.js', 'this.#terms.truncateFrom(0);\n        this.#terms.forgetBefore(index);', ''],
    ],
  },
  // ---- identity and members ----
  {
    name: 'to-store-ignored',
    edits: [['identity.js', 'if (to.store !== self.store)', 'if (false)']],
  },
  {
    name: 'from-store-ignored',
    edits: [
      ['identity.js', 'if (known !== undefined && known.store !== from.store)', 'if (false)'],
    ],
  },
  {
    name: 'generation-ignored',
    edits: [
      ['identity.js', 'if (message.generation < generation && !isNotice(message))', 'if (false)'],
    ],
  },
  {
    name: 'notices-answered',
    edits: [['identity.js', 'answer: isNotice(message) ? null : answer', 'answer']],
  },
  {
    name: 'replica-id-reused',
    edits: [
      [
        'configuration.js',
        'nextReplicaId: config.nextReplicaId + 1',
        'nextReplicaId: config.nextReplicaId',
      ],
      ['configuration.js', 'id >= 1 && id < nextReplicaId', 'id >= 1'],
    ],
  },
  {
    name: 'replica-id-after-highest',
    edits: [
      [
        'configuration.js',
        'const learner = { replicaId: config.nextReplicaId, node, store };',
        'const learner = { replicaId: Math.max(...[...config.voters, ...config.learners].map((r) => r.replicaId)) + 1, node, store };',
      ],
    ],
  },
  {
    name: 'change-before-term-commit-2015',
    edits: [['members.js', 'if (termStartIndex > commitIndex)', 'if (false)']],
  },
  {
    name: 'two-changes-in-flight',
    edits: [['members.js', 'if (configs.latestIndex > commitIndex)', 'if (false)']],
  },
  {
    name: 'epoch-not-compared',
    edits: [['members.js', 'if (change.configEpoch !== config.configEpoch)', 'if (false)']],
  },
  {
    name: 'inactive-majority-configured',
    edits: [
      [
        'members.js',
        "return replication.isMajorityActive(next.voters) ? next : 'no-active-majority';",
        'return next;',
      ],
    ],
  },
  {
    name: 'slow-learner-promoted',
    edits: [
      ['members.js', 'return progress.isCaughtUp(state.timing.electionMsMin);', 'return true;'],
    ],
  },
  {
    name: 'promoted-without-its-configuration',
    edits: [['members.js', 'if (progress.match < state.configs.latestIndex)', 'if (false)']],
  },
  {
    name: 'leader-removes-itself',
    edits: [['members.js', 'if (replicaId === state.self.replicaId)', 'if (false)']],
  },
  {
    name: 'quorum-by-committed-configuration',
    edits: [
      [
        'replica-state.js',
        'return this.configs.latest;',
        'return this.configs.committed(this.#commit);',
      ],
    ],
  },
  {
    name: 'configuration-survives-truncation',
    edits: [['replica-state.js', 'this.configs.truncateFrom(index);', '']],
  },
  {
    name: 'configuration-not-adopted-by-progress',
    edits: [['leader.js', 'this.#replication.adoptConfiguration();', '']],
  },
  {
    name: 'removed-without-proof',
    edits: [
      [
        'raft.js',
        'const isProof = message.generation >= generation && isRemoved(message.config, self);',
        'const isProof = true;',
      ],
    ],
  },
  {
    name: 'removed-by-uncommitted',
    edits: [
      [
        'identity.js',
        'const committed = state.configs.committed(state.commitIndex);',
        'const committed = state.config;',
      ],
    ],
  },
  {
    name: 'snapshot-without-configuration',
    edits: [['replica-state.js', 'this.configs.reset(snapshot.index, snapshot.config);', '']],
  },
  // ---- reads ----
  {
    name: 'read-without-term-commit',
    edits: [['leader.js', 'if (!this.hasCommittedInTerm)', 'if (false)']],
  },
  {
    name: 'read-confirmed-by-older-heartbeat',
    edits: [['read-index.js', 'position: this.#position + 1', 'position: this.#position']],
  },
  {
    name: 'read-position-reused',
    edits: [['read-index.js', 'this.#position += 1;', 'this.#position = 1;']],
  },
  {
    name: 'read-confirmed-by-one',
    edits: [
      ['read-index.js', 'const reached = reachedByMajority(', 'const reached = Math.max(...('],
      [
        'read-index.js',
        '(this.#answered.get(replicaId) ?? 0)));',
        '(this.#answered.get(replicaId) ?? 0))));',
      ],
    ],
  },
  {
    name: 'read-numbers-repeat-after-restart',
    edits: [['raft.js', 'this.#nextRead = options.boot * READS_PER_BOOT;', 'this.#nextRead = 0;']],
  },
  {
    name: 'read-index-taken-at-answer',
    edits: [['leader.js', 'index: this.#state.commitIndex });', 'index: 0 });']],
  },
  {
    name: 'reads-survive-stepping-down',
    edits: [['leader.js', 'this.#replication.end();\n        for', 'return; for']],
  },
  {
    name: 'forwarded-reads-never-given-up',
    edits: [['follower.js', 'if (now >= at)', 'if (false)']],
  },
  {
    name: 'serves-before-applied',
    edits: [
      [
        'leader.js',
        'return this.#state.appliedIndex >= this.termStartIndex;',
        'return this.#state.commitIndex >= this.termStartIndex;',
      ],
    ],
  },
]
