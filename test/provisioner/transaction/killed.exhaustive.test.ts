import { atEveryCall } from './at-every-call.ts'

atEveryCall([
  { name: 'killed at a call', faults: () => ['killed'], canUndo: false },
  {
    name: 'the power fails at a call',
    faults: call => (call.changes ? ['killed'] : []),
    canUndo: false,
    powerLoses: () => true,
  },
  {
    name: 'the power fails at a call, and our own folder was written first',
    faults: call => (call.changes ? ['killed'] : []),
    canUndo: false,
    powerLoses: folder => !folder.endsWith('/pomerium-host-agent'),
  },
])
