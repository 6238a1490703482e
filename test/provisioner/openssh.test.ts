import { expect, test } from 'vitest'
import { configFile, configOptions, optionLines } from '../../agent/provisioner/openssh.ts'

test.each([
  [['-D'], [], undefined],
  [['-D', '-o', 'Port 22', '-oBanner=none'], ['Port 22', 'Banner=none'], undefined],
  [['-f', '/etc/ssh/other', '-o', 'Port=22'], ['Port=22'], '/etc/ssh/other'],
  [['-Df/etc/ssh/other'], [], '/etc/ssh/other'],
  [['-f', '-o', '-Do', 'Port=22'], ['Port=22'], '-o'],
])('%j', (args, lines, main) => {
  const options = configOptions(['/usr/sbin/sshd', ...args])
  expect(optionLines(options)).toEqual(lines)
  expect(configFile(options)).toBe(main)
})
