import { type PollRecordFile, tryWrite } from './cycle/poll-record-file.ts'
import { fetchSource } from './fetch-source.ts'
import { listenForWebhooks } from './listen-for-webhooks.ts'
import { followDrift } from './polling/follow-drift.ts'
import type { LongPoll } from './polling/long-poll.ts'
import { keepPolling } from './polling/poll.ts'
import { watchFolders } from './polling/watch-folders.ts'
import type { Running } from './running.ts'

/** The daemon that stays: its own clock, its own watch, and held requests where they are wanted. */
export async function stayResident(running: Running): Promise<number> {
  const { daemon, config, layout, pollRecord, log, signal, sleep } = running
  const random = Math.random
  const listener =
    config.webhook.listen === undefined ? undefined : await listenForWebhooks(running)
  const onDrift = followDrift({ daemon, random, signal, sleep })
  const watch = watchFolders(
    [layout.caFolder, layout.dropInFolder, { path: '/etc/ssh', only: 'sshd_config' }],
    onDrift,
    code => {
      const fields = { event: 'no-watch', code }
      // As under systemd, whose path units wake the root wing without us.
      if (code === 'EACCES')
        log.info(fields, 'what sshd reads is hidden from us; not ours to watch')
      else log.warn(fields, 'no watch on the files; looking at the clock instead')
    },
  )
  // What has changed while nothing of ours ran, a boot without a control plane included.
  onDrift()
  const clock = {
    pollMs: config.source.pollIntervalSeconds * 1000,
    random,
    now: () => performance.now(),
    signal,
    sleep(ms: number) {
      noteNext(pollRecord, ms, false)
      return sleep(ms)
    },
  }
  await keepPolling(daemon, clock, config.source.longPoll ? longPoll(running) : undefined)
  watch.close()
  await listener?.close()
  await daemon.settled()
  return 0
}

/** For `status`, which has no timer to ask. */
function noteNext(pollRecord: PollRecordFile, ms: number, held: boolean): void {
  const nextPoll = new Date(Date.now() + ms).toISOString()
  // Where it can't be written, the poll has said so; and the next one comes all the same.
  tryWrite(pollRecord, { ...pollRecord.read(), nextPoll, held })
}

function longPoll(running: Running): LongPoll {
  const { log, config, pollRecord } = running
  let told = false
  return {
    hold: (etag, waitSeconds) => fetchSource(running, { etag, waitSeconds }),
    onHold: ms => noteNext(pollRecord, ms, true),
    onHasty() {
      if (told) return
      told = true
      const pace = `${config.source.pollIntervalSeconds} s`
      log.warn(`the source answers at once, held requests it does not know; asking every ${pace}`)
    },
  }
}
