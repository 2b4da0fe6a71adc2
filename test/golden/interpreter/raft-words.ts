import type { Configuration, Replica } from '@gyre/core/internal/protocol/raft/configuration.js'
import type { LogEntry } from '@gyre/core/internal/protocol/raft/log-record.js'
import type { RaftMessage } from '@gyre/core/internal/protocol/raft/messages.js'
import type { News } from '@gyre/core/internal/protocol/raft/news.js'
import type { Raft } from '@gyre/core/internal/protocol/raft/raft.js'

/** How machines, messages and news of a Raft group are written in a transcript. */
export const nameOf = ({ replicaId }: Replica): string => `r${replicaId}`

export function entryWords({ index, term, payload, kind }: LogEntry): string {
  return `${index}/${term}:${kind ?? payload}`
}

export function messageWords(message: RaftMessage): string {
  const { from, to, term } = message
  return `${nameOf(from)}>${nameOf(to)} ${message.kind} t${term}${bodyWords(message)}`
}

function bodyWords(message: RaftMessage): string {
  switch (message.kind) {
    case 'pre-vote':
      return ` for t${message.candidateTerm}, log ${message.lastIndex}/${message.lastTerm}`
    case 'pre-vote-response':
    case 'vote-response':
      return message.granted ? ' granted' : ' refused'
    case 'vote':
      return `${message.transfer ? ' by transfer' : ''}, log ${message.lastIndex}/${message.lastTerm}`
    case 'append': {
      const entries = message.entries.map(entryWords).join(' ')
      return ` after ${message.prevIndex}/${message.prevTerm} [${entries}] commit ${message.commit}`
    }
    case 'append-accepted':
      return ` up to ${message.match}`
    case 'append-rejected':
      return ` after ${message.prevIndex}, hint ${message.hintIndex}/${message.hintTerm}`
    case 'heartbeat':
      return ` commit ${message.commit} position ${message.position}`
    case 'heartbeat-response':
      return ` position ${message.position}`
    case 'regressed':
      return ` held ${message.match}`
    case 'read-index-response':
      return message.index === null ? ' not now' : ` index ${message.index}`
    case 'snapshot-begin':
      return ` at ${message.snapshot.index}/${message.snapshot.term}`
    case 'snapshot-done':
      return ` at ${message.index}`
    case 'snapshot-offset':
      return ` ${message.offset}`
    case 'too-old':
    case 'removed':
      return ` ${configWords(message.config)}`
    default:
      return ''
  }
}

export function configWords({ configEpoch, voters, learners }: Configuration): string {
  const list = (replicas: readonly Replica[]): string => replicas.map(nameOf).join(',')
  const also = learners.length === 0 ? '' : ` learners ${list(learners)}`
  return `epoch ${configEpoch} voters ${list(voters)}${also}`
}

export function newsWords(news: News): string {
  switch (news.kind) {
    case 'read-ready':
      return `read-ready at ${news.index}`
    case 'read-failed':
      return `read-failed ${news.reason}`
    case 'snapshot-needed':
      return `snapshot-needed for r${news.to}`
    case 'snapshot-send':
      return `snapshot-send to ${nameOf(news.to)} from ${news.offset}`
    case 'snapshot-receive':
      return `snapshot-receive from ${nameOf(news.from)} at ${news.snapshot.index}`
    case 'snapshot-over':
      return `snapshot-over ${news.reason}`
    case 'replica-lost':
      return `replica-lost r${news.replicaId} ${news.reason}`
    case 'removed':
      return `removed ${configWords(news.config)}`
    case 'quarantined':
      return 'quarantined'
    case 'outdated':
      return `outdated ${news.reason}`
  }
}

export function statusWords(node: string, raft: Raft | null): string {
  if (raft === null) return `${node} down`
  const { self, config, log } = raft.view
  const leader = raft.leader === null ? 'none' : nameOf(raft.leader)
  const entries: string[] = []
  for (let index = log.base + 1; index <= log.lastIndex; index += 1) {
    entries.push(`${index}/${log.termAt(index)}`)
  }
  return (
    `${nameOf(self)} ${raft.role} t${raft.term} leader ${leader} commit ${raft.commitIndex} ` +
    `log [${entries.join(' ')}] ${configWords(config)}`
  )
}
