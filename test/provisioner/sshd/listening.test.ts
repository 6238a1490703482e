import { expect, test } from 'vitest'
import { parseListening } from '../../../agent/core/network/listening-ports.ts'
import { parseEffectiveConfig } from '../../../agent/core/sshd-config/effective-config.ts'
import { configuredPorts, listeningPorts } from '../../../agent/provisioner/sshd/listening.ts'
import { processTable, sshd, tcpTable } from './fake-host.ts'

const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 249998 1 00000000d1dc6fb6 100 0 0 10 0
   1: 0000000000000000FFFF00000100007F:0050 0000000000000000FFFF00000100007F:BA94 01 00000000:00000000 00:00000000 00000000     0        0 249999 1 00000000d1dc6fb6 100 0 0 10 0
`

test('ports in state LISTEN, and no others', () => {
  expect(parseListening(TCP6)).toEqual([22])
  expect(parseListening(tcpTable(22, 2222))).toEqual([22, 2222])
  expect(parseListening('')).toEqual([])
})

test('of both families, once each', () => {
  const table = processTable({ 39: sshd({ 'net/tcp': tcpTable(22, 2222), 'net/tcp6': TCP6 }) })
  expect(listeningPorts(table, 39)).toEqual([22, 2222])
  expect(listeningPorts(table, 40)).toEqual([])
})

test('of IPv6 only where IPv4 has not all that is wanted', () => {
  const tcp6 = TCP6.replace(':0016', ':08AE')
  const table = processTable({ 39: sshd({ 'net/tcp': tcpTable(22), 'net/tcp6': tcp6 }) })
  expect(listeningPorts(table, 39, [22])).toEqual([22])
  expect(listeningPorts(table, 39, [22, 2222])).toEqual([22, 2222])
})

test('what sshd -T says it will listen on', () => {
  const dump =
    'port 22\nListenAddress [::]:2222\nlistenaddress 0.0.0.0:22\nlistenaddress [fe80::1%lo]:22 rdomain 1\n'
  expect(configuredPorts(parseEffectiveConfig(dump))).toEqual([2222, 22])
  expect(configuredPorts(new Map())).toEqual([])
})
