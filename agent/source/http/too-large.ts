import { MAX_BUNDLE_BYTES } from '../../core/bundle/limits.ts'
import { type Refused, refused } from './failure.ts'

export function refuseTooLarge(shown: string): Refused {
  return refused(
    'too-large',
    `${shown} holds more than the ${MAX_BUNDLE_BYTES} bytes that a bundle may have`,
    'Serve the bundle alone',
  )
}
