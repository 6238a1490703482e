/** What the command line of an sshd that listens says of it. */
export interface ListenerLine {
  argv: readonly string[]
  /** Whether it says that it listens, as sshd does from 8.2 on, once its sockets are open. */
  announced: boolean
}

// The options of sshd(8) that take a value, and those with which it does not listen.
const WITH_VALUE = 'CEbcfghkopu'
const NOT_LISTENING = /[tTGiRV]/

/**
 * The program and arguments of a listening sshd, from its `/proc/PID/cmdline`; `undefined` for
 * anything else: sessions (`sshd: alice [priv]`), `sshd -t`, other programs.
 * sshd overwrites its arguments by a title (sshd.c: `sshd: <argv> [listener] 0 of 10-100 startups`),
 * in which they are joined by blanks; where there was no room, the title is cut off.
 */
export function parseListener(cmdline: string): ListenerLine | undefined {
  // A session's title names a user, a listener's the program, which sshd insists is absolute.
  const title = /^sshd: (\/[^\0]*?)( \[listener\][^\0]*)?(?:\0|$)/.exec(cmdline)
  if (title?.[1] !== undefined) {
    return { argv: splitTitle(title[1]), announced: title[2] !== undefined }
  }
  const argv = cmdline.replace(/\0+$/, '').split('\0')
  if (!/(^|\/)sshd$/.test(argv[0] ?? '')) return undefined
  return flagsOf(argv).some(flag => NOT_LISTENING.test(flag))
    ? undefined
    : { argv, announced: false }
}

// `-o "Port 2222"` has become `-o Port 2222`: a value goes on until the next option.
function splitTitle(title: string): string[] {
  const [program = '', ...words] = title.split(' ')
  const argv = [program]
  for (const word of words) {
    const previous = argv.at(-1) ?? ''
    const value = argv.length > 1 && !word.startsWith('-') && !takesNext(previous)
    if (value) argv[argv.length - 1] = `${previous} ${word}`
    else argv.push(word)
  }
  return argv
}

function flagsOf([, ...args]: readonly string[]): string[] {
  const flags: string[] = []
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? ''
    if (!word.startsWith('-')) continue
    const value = [...word.slice(1)].findIndex(letter => WITH_VALUE.includes(letter))
    flags.push(...word.slice(1, value === -1 ? undefined : value + 1))
    if (takesNext(word)) at++
  }
  return flags
}

// getopt(3): a value is what follows the letter, or else the next word.
function takesNext(word: string): boolean {
  if (!word.startsWith('-')) return false
  const value = [...word.slice(1)].findIndex(letter => WITH_VALUE.includes(letter))
  return value !== -1 && value === word.length - 2
}
