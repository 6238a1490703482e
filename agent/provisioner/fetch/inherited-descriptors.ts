import { closeSync, readdirSync, readFileSync } from 'node:fs'

const CLOSE_ON_EXEC = 0o2000000

/**
 * Closes what every child of ours would inherit beside 0, 1 and 2: descriptors that whoever started us
 * had open. What Node opens is close-on-exec, and of what it finds it marks the first sixteen
 * (uv_disable_stdio_inheritance); the others stand in proc_pid_fdinfo(5). Nothing where there is no /proc.
 */
export function closeInherited(): void {
  for (const name of listDescriptors()) {
    const fd = Number(name)
    if (fd > 2 && isInheritable(fd)) closeSync(fd)
  }
}

function listDescriptors(): string[] {
  try {
    return readdirSync('/proc/self/fdinfo')
  } catch {
    return []
  }
}

function isInheritable(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0
  } catch {
    // The descriptor by which the folder was read is gone by now.
    return false
  }
}
