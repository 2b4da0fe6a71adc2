/** Does bulk actions on jobs (adapters/services/actions-desk.ts). No plugin's: only the API makes jobs of it. */
export const ACTIONS_SERVICE = 'gyre.actions'
