import { onTestFinished } from 'vitest'
import {
  type ControlPlane,
  type ControlPlaneOptions,
  startControlPlane,
} from '../control-plane/control-plane.ts'

export const BUNDLE =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8yB0bqGq0kTg7kOkqGnk8FmCzSAnYyqkYQ1iHSmQ3n pomerium\n'

/** A control plane for one test, serving BUNDLE. */
export async function useControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const plane = await startControlPlane(options)
  onTestFinished(() => plane.close())
  plane.setBundle(BUNDLE)
  return plane
}

export const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
