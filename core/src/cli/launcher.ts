/** How often to look, milliseconds: there is no event for the end of a parent. */
const LOOK_MS = 500

/**
 * Settles when the process that started this one is gone, if that was a shell of npm (`npx gyre …`,
 * an npm script). npm passes SIGTERM on to that shell alone; where the shell does not pass it on
 * (dash, Debian's sh) it just dies, and this process would stay without anybody knowing of it.
 *
 * Without npm it never settles: then a command whose shell has ended was left running on purpose.
 */
export function npmShellGone(environment: NodeJS.ProcessEnv): Promise<string> {
  const parent = process.ppid
  return new Promise((resolve) => {
    if (environment['npm_lifecycle_event'] === undefined) return
    const timer = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(timer)
      resolve('npm is gone')
    }, LOOK_MS)
    timer.unref()
  })
}
