import { expect, test } from 'vitest'
import { readReply } from '../../../agent/publisher/notify/reply.ts'
import { STATUS } from '../../../agent/publisher/status/host-status.ts'
import { toldOf } from './told.ts'

const TOLD = toldOf(['SHA256:a'], 3)
const read = (status: number, text: string) => readReply({ status, text, proof: 'signed' }, STATUS)

test('is read field by field, and nothing else of it', () => {
  const text = JSON.stringify({ ...TOLD, constructor: 'x', later: 1 })
  expect(read(200, text)).toEqual({ kind: 'outcome', outcome: TOLD })
})

test.each<[string, object]>([
  ['an outcome of apply', { outcome: 'applied', message: '', steps: [], trusted: [] }],
  ['ok is no flag', { ...TOLD, ok: 'true' }],
  ['a code that is none', { ...TOLD, code: 'a b' }],
  ['findings that are none', { ...TOLD, findings: ['a\nb'] }],
  ['a key that is none', { ...TOLD, trusted: [null] }],
  ['a serial that is none', { ...TOLD, serial: -1 }],
  ['a time that is none', { ...TOLD, effective: { value: true, at: 'now' } }],
  ['a list', []],
])('%s is no status', (_, value) => {
  expect(read(200, JSON.stringify(value))).toMatchObject({ kind: 'rejected', code: 'not-an-agent' })
})

test('no such path: an agent of an earlier version, or no secret there', () => {
  expect(read(404, '')).toMatchObject({ kind: 'rejected', code: 'no-status' })
})

test('nothing of it is a word to the terminal', () => {
  const at = '2026-11-20T10:00:00Z\u001b[2J'
  const dressed = { ...TOLD, message: 'a\u001b[2Jb', effective: { value: true, at } }
  const reply = read(200, JSON.stringify(dressed))
  expect(JSON.stringify(reply)).not.toContain('\\u001b')
})
