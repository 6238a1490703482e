import { atEveryCall } from './at-every-call.ts'
import { faultsOf } from './sabotaged-file-system.ts'

atEveryCall([
  { name: 'a real folder', faults: () => [], canUndo: true },
  { name: 'one call fails', faults: faultsOf, canUndo: true },
])
