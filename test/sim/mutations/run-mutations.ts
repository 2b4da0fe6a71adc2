export function runMutations(_only: string | undefined): number {
  return 0
}

export function sweepMutations(_seeds: number, _only: string | undefined): number {
  return 0
}
