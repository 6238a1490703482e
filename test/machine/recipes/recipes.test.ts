import { expect, onTestFinished, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'
import { login } from '../harness/login.ts'
import { CA_FILE } from '../hosts/agent-host.ts'
import { readRecipes } from './recipe.ts'
import { bootRecipeHost } from './recipe-host.ts'

const recipes = readRecipes()

// Without the comment, which not every source passes on.
const blob = (line: string) => line.split(' ')[1]

describeTier('the recipes, followed word by word', machineTier(), () => {
  test.each(recipes)('$name', async recipe => {
    const it = await bootRecipeHost(recipe)
    onTestFinished(() => it[Symbol.asyncDispose]())
    const { host, current, next } = it
    const trusted = async () => (await host.read(CA_FILE)).trimEnd().split('\n').map(blob)

    for (const step of recipe.steps.filter(({ rotated }) => !rotated)) await it.follow(step)
    expect(await trusted()).toEqual([blob(current.publicKey)])

    for (const step of recipe.steps.filter(({ rotated }) => rotated)) await it.follow(step)
    expect(await trusted()).toEqual([blob(current.publicKey), blob(next.publicKey)])
    for (const ca of [current, next]) expect((await login(host, { ca })).outcome).toBe('accepted')
  })
})
