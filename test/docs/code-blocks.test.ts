import { expect, test } from 'vitest'
import { codeBlocks } from './code-blocks.ts'

test('blocks are read with language, mark and line', () => {
  const page = 'a\n\n```sh run\necho a\n```\n\n1. b\n\n   ```yaml\n   a:\n     b: 1\n   ```\n'
  expect(codeBlocks(page)).toEqual([
    { language: 'sh', mark: 'run', text: 'echo a\n', line: 3 },
    { language: 'yaml', mark: '', text: 'a:\n  b: 1\n', line: 9 },
  ])
})
