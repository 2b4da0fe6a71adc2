import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FileError } from '../../ports/files.js'
import { RealFiles } from '../real-files.js'
import { temporaryFolder } from '../testing/temporary-folder.js'
import { asideName, segmentName } from './format.js'
import { SegmentShelf } from './segment-shelf.js'

/** No descriptor is free for the first look into a folder. */
class BusyFiles extends RealFiles {
  #isFirst = true

  override list(folder: string): string[] {
    if (!this.#isFirst) return super.list(folder)
    this.#isFirst = false
    throw new FileError('EMFILE', 'too many open files')
  }
}

test('what was set aside when descriptors ran out is not looked for once more', (t) => {
  const files = new BusyFiles(temporaryFolder(t))
  files.makeFolder('log')
  for (const number of [1, 2]) files.writeDurably(`log/${segmentName(number)}`, new Uint8Array(1))
  const warnings: string[] = []
  const warn = (message: string): number => warnings.push(message)
  const options = { files, folder: 'log', segmentBytes: 1, alarm: () => () => {}, warn }
  const sizes = new Map([1, 2, 3].map((number) => [number, 1]))
  const shelf = new SegmentShelf(options, sizes, 3)
  const removeBelow3 = (): void => shelf.removeBelow(3, new Set([1]))
  assert.throws(removeBelow3, { code: 'EMFILE' })
  removeBelow3()
  assert.deepEqual(files.list('log'), [asideName(1)])
  assert.equal(warnings.length, 1)
})
