import { matchesPatternList } from './pattern-list.ts'

/**
 * A name by which a principals field lets its key sign: one that `ssh-keygen -Y find-principals` prints
 * and `-Y verify -I` takes. `undefined` where there is none, as in `*,!*`.
 */
export function principalIn(principals: string): string | undefined {
  return principals
    .split(',')
    .find(name => /^[^!]/.test(name) && matchesPatternList(name, principals))
}
