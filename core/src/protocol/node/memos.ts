import type { Dispatch, OffersBody } from './messages.js'

/**
 * Results that are shared between jobs, as far as the engine has to do with them: a memoised attempt
 * whose result is known ends without being run. A result counts for the version of its service that
 * gave it, so that neither is anything recalled nor kept where another version than the job was
 * planned for runs now.
 */
export class Memos {
  readonly #versions = new Map<string, string>()

  /** @param body  JSON of what the services thread offers */
  noteOffers(body: string): void {
    this.#versions.clear()
    const { services }: OffersBody = JSON.parse(body)
    for (const { name, version } of services) this.#versions.set(name, version)
  }

  /** JSON of the outcome that the attempt ends with at once; null: it is to run. */
  recalled(dispatch: Dispatch): string | null {
    return this.keyOf(dispatch) === null ? null : (dispatch.recalled ?? null)
  }

  /** Under which the attempt's result may be kept; null: it may not. */
  keyOf({ service, memo }: Dispatch): string | null {
    return memo !== undefined && this.#versions.get(service) === memo.version ? memo.key : null
  }
}
