// What the start of the two processes is spent on: each stage is a program of its own, timed whole.

import type { WebhookHost } from '../machine/hosts/webhook-host.ts'

/** Milliseconds of each run, by stage. */
export type StartUp = Record<string, number[]>

const TIMES = 15
// As the units have it.
const CACHED = 'env NODE_COMPILE_CACHE=/root/bench/cache'

/** Each stage so many times, in turn. */
export async function measureStartUp({ host }: WebhookHost): Promise<StartUp> {
  const { stdout: folder } = await host.exec(
    'dirname "$(readlink -f /usr/local/bin/pomerium-host-agent)" | tr -d "\\n"',
  )
  const chunk = async (name: string) =>
    (await host.exec(`ls ${folder}/agent/${name}-*.js`)).stdout.trim()
  await host.write('/root/bench/empty.mjs', '')
  await host.write('/root/bench/run.mjs', `await import('${await chunk('run')}')\n`)
  await host.write('/root/bench/provision.mjs', `await import('${await chunk('provision')}')\n`)
  const node = `${folder}/node`
  const stages = {
    'daemon: node alone': `${node} /root/bench/empty.mjs`,
    'daemon: and its modules': `${node} /root/bench/run.mjs`,
    'daemon: and its modules, from V8’s code cache': `${CACHED} ${node} /root/bench/run.mjs`,
    'provisioner: node alone, without JIT': `${node} --jitless /root/bench/empty.mjs`,
    'provisioner: and its modules': `${node} --jitless /root/bench/provision.mjs`,
    'provisioner: and its modules, from V8’s code cache': `${CACHED} ${node} --jitless /root/bench/provision.mjs`,
  }
  const lines = Object.values(stages).map(
    (command, at) => `t=$EPOCHREALTIME; ${command}; u=$EPOCHREALTIME; say ${at}`,
  )
  const script = `say() { echo "$1 $((\${u/./} - \${t/./}))"; }
    for n in $(seq ${TIMES}); do ${lines.join('\n')}
    done`
  const { stdout } = await host.exec(['bash', '-c', script])
  const measured: StartUp = Object.fromEntries(Object.keys(stages).map(name => [name, []]))
  for (const line of stdout.trim().split('\n')) {
    const [at = 0, microseconds = 0] = line.split(' ').map(Number)
    measured[Object.keys(stages)[at] ?? '']?.push(microseconds / 1000)
  }
  return measured
}
