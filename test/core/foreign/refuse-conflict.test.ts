import { describe, expect, test } from 'vitest'
import type { Observation } from '../../../agent/core/host/observation.ts'
import { planApply } from '../../../agent/core/plan/plan.ts'
import {
  CA,
  DROP_IN,
  file,
  hostWith,
  layout,
  MAIN,
  satisfied,
  stepsOf,
  uses,
  WANTED,
} from '../plan/planned-host.ts'

const ZERO = '/etc/ssh/sshd_config.d/00-other.conf'
const INCLUDE = 'Include /etc/ssh/sshd_config.d/*.conf\n'
const plan = (host: Observation, wanted = WANTED) => planApply(host, layout, wanted)
const SCOPED = { ...WANTED, acceptFrom: ['192.0.2.0/24'] }
const written = (host: Observation, wanted = WANTED) =>
  stepsOf(plan(host, wanted)).filter(step => step.startsWith('write-file /etc'))

describe('what wins whatever we write', () => {
  test.each([
    [`TrustedUserCAKeys=/o.pub`, WANTED],
    ['trustedusercakeys none', { ...WANTED, conflict: 'adopt' as const }],
    [`TrustedUserCAKeys ${CA}`, SCOPED],
  ])('-o %s', (option, wanted) => {
    expect(plan(hostWith({}, { commandLine: ['Port 22', option] }), wanted)).toMatchObject({
      code: 'shadowed',
      message: expect.stringMatching(`-o ${option} on sshd's command line, see ssh.service`),
    })
  })

  test('-o that names our own file does no harm', () => {
    const commandLine = [`TrustedUserCAKeys=${CA}`]
    expect(written(hostWith({}, { commandLine }))).toEqual([`write-file ${DROP_IN}`])
  })

  test('-o PubkeyAuthentication=no is named as it stands', () => {
    const off = new Map([['pubkeyauthentication', ['no']]])
    const sshd = { kind: 'readable', effective: off } as const
    expect(plan(hostWith({}, { commandLine: ['PubkeyAuthentication=no'], sshd }))).toMatchObject({
      code: 'pubkey-authentication-off',
      message: expect.stringContaining('-o PubkeyAuthentication=no'),
    })
  })

  test('Match all without CAs, which no file outranks', () => {
    const host = hostWith({ [MAIN]: `${INCLUDE}Match all\nTrustedUserCAKeys none\n` })
    const message = expect.stringContaining(`${MAIN}:3`)
    expect(plan(host)).toMatchObject({ code: 'foreign-ca', message })
    expect(plan(host, { ...WANTED, conflict: 'adopt' })).toMatchObject({ message })
  })
})

describe('lines that name our own file', () => {
  const host = hostWith({ [ZERO]: `\nTrustedUserCAKeys ${CA}\n` })

  test('of another owner: no need to come before it', () => {
    expect(written(host)).toEqual([`write-file ${DROP_IN}`])
  })

  test('but where our file is to be trusted in part, it is outranked', () => {
    const first = '/etc/ssh/sshd_config.d/0-pomerium-ca.conf'
    expect(written(host, SCOPED)).toEqual([`write-file ${DROP_IN}`, `write-file ${first}`])
  })

  test('which no file does within a Match', () => {
    const within = hostWith({ [ZERO]: `Match User bob\nTrustedUserCAKeys ${CA}\n` })
    expect(written(within)).toEqual([`write-file ${DROP_IN}`])
    const message = expect.stringMatching(`${ZERO}:2 .*accept_from`)
    expect(plan(within, SCOPED)).toMatchObject({ code: 'shadowed', message })
  })
})

describe('our own places are nobody else’s', () => {
  test('a drop-in that names another file is drift, and written anew', () => {
    const text = 'TrustedUserCAKeys /etc/ssh/else.pub\n'
    const shape = satisfied({ [DROP_IN]: file(text) }, { sshd: uses('/etc/ssh/else.pub') })
    const texts = new Map([...shape.config.texts, [DROP_IN, text]])
    expect(written({ ...shape, config: { ...shape.config, texts } })).toEqual([
      `write-file ${DROP_IN}`,
    ])
  })
})

describe('a block that can not be', () => {
  test.each([
    ['a link', MAIN, { [MAIN]: { kind: 'other', what: 'symbolic link' } as const }, /a link/],
    ['the vendor’s file', '/usr/etc/ssh/sshd_config', {}, /a copy of it in \/etc\/ssh/],
  ])('%s', (_, main, states, why) => {
    const shape = hostWith({ [main]: 'UsePAM yes\n' }, {}, { [main]: file(''), ...states })
    const config = { ...shape.config, main }
    const message = expect.stringMatching(why)
    expect(plan({ ...shape, config })).toMatchObject({ code: 'include-missing', message })
  })
})

describe('accept_from', () => {
  test('a Match outranks what others set at global scope: no further file', () => {
    const read = { kind: 'read', path: '/o.pub', content: Buffer.alloc(0) } as const
    const foreignCaFiles = new Map([['/o.pub', read]])
    const host = hostWith({ [ZERO]: 'TrustedUserCAKeys /o.pub\n' }, { foreignCaFiles })
    expect(written(host, { ...SCOPED, conflict: 'adopt' })).toEqual([`write-file ${DROP_IN}`])
  })
})

describe('proof', () => {
  const proofs = (texts: Record<string, string>) => {
    const made = plan(hostWith(texts))
    const step = made.kind === 'steps' && made.steps.find(({ do: it }) => it === 'prove-trust')
    return step && step.do === 'prove-trust' ? step.proofs : []
  }

  test('of nobody in particular first, and then of several', () => {
    expect(proofs({})[0]).toEqual({ trusted: true })
    expect(proofs({}).length).toBeGreaterThan(3)
  })

  test('of nobody else where some shall log in by no CA', () => {
    const texts = { [ZERO]: 'Match User root\nTrustedUserCAKeys none\n' }
    expect(proofs(texts)).toEqual([{ trusted: true }])
  })
})
