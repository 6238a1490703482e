import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'

const installer = join(import.meta.dirname, '../../installer')
// All of it but the last line, which begins.
const functions = readFileSync(join(installer, 'install.sh'), 'utf8').replace(/^\{ main .*\n/m, '')
const packaged = readFileSync(join(installer, 'package/host.sh'), 'utf8')

async function sh(script: string, environment: Record<string, string> = {}) {
  const env = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [`POMERIUM_HOST_AGENT_${name}`, value]),
  )
  const { exitCode, stdout, stderr } = await execa('sh', ['-s'], {
    input: `set -eu\n${script}`,
    ...{ env, reject: false },
  })
  return { code: exitCode, stdout, stderr }
}

describe.each([
  ['RESIDENT', functions, 'colours; read_environment; echo "<$resident>"'],
  ['NO_START', functions, 'colours; read_environment; echo "<$no_start>"'],
  ['OPERATOR', functions, 'colours; read_environment; echo "<$operator>"'],
  ['DRY_RUN', functions, 'colours; read_environment; echo "<$dry_run>"'],
  ['UNINSTALL', functions, 'colours; read_environment; echo "<$uninstall>"'],
  ['NO_START', packaged, 'read_no_start; echo "<$no_start>"'],
])('a variable that is yes or no: %s', (name, script, call) => {
  test.each([
    ['1', '<1>'],
    ['0', '<>'],
    ['', '<>'],
  ])('%j', async (value, stdout) => {
    const read = await sh(`${script}\n${call}`, { [name]: value })
    expect(read).toEqual({ code: 0, stdout, stderr: '' })
  })

  test.each(['no', '10', '0\n1'])('%j is refused', async value => {
    const { code, stdout, stderr } = await sh(`${script}\n${call}`, { [name]: value })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(
      new RegExp(`^[^\n]+: POMERIUM_HOST_AGENT_${name} is neither 1 for yes nor 0 for no$`),
    )
  })
})

test.each(['--source-url', '--conflict', '--accept-from', '--exempt-from-penalties'])(
  '%s is for a host, and is refused with --operator',
  async flag => {
    const { code, stderr } = await sh(
      `${functions}\ncolours; read_environment; read_flags --operator ${flag} x; choose_operators_place`,
    )
    expect(code).toBe(2)
    expect(stderr).toBe(`install.sh: ${flag} is for a host, and --operator makes none`)
  },
)
