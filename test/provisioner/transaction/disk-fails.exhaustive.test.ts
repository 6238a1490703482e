import { atEveryCall } from './at-every-call.ts'

atEveryCall([
  {
    name: 'the disk is full from a call on',
    faults: call => (call.takesRoom ? ['ENOSPC'] : []),
    after: call => call.takesRoom,
    canUndo: false,
  },
  {
    name: 'the disk is read-only from a call on',
    faults: call => (call.changes ? ['EROFS'] : []),
    after: call => call.changes && call.name !== 'closeSync',
    canUndo: false,
  },
  { name: 'the disk dies at a call', faults: () => ['EIO'], after: () => true, canUndo: false },
])
