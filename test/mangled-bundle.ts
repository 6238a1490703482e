import fc from 'fast-check'

type Mangle = (text: string, at: number, junk: string) => string

// What a careless editor, a broken proxy or an attacker would do to a bundle.
const MANGLES: Record<string, Mangle> = {
  nothing: text => text,
  cutOff: (text, at) => text.slice(0, at),
  cutOut: (text, at) => text.slice(0, at) + text.slice(at + 7),
  inserted: (text, at, junk) => text.slice(0, at) + junk + text.slice(at),
  overwritten: (text, at, junk) => text.slice(0, at) + junk + text.slice(at + junk.length),
  twice: text => text + text,
  joinedLines: text => text.replaceAll('\n', ' '),
  swappedCase: text => text.toUpperCase(),
  prefixed: text => `cert-authority ${text}`,
  asHtml: text => `<pre>${text}</pre>`,
  asJson: text => JSON.stringify({ key: text }),
}

const JUNK = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('\0', '\r', '\n', '\t', ' ', '#', '"', '\u001b[31m', '\u202e', '=', '-----BEGIN'),
)

/** Bundles of one to four of the given `type base64` lines, mangled in one to three ways; as bytes. */
export function mangledBundle(keys: readonly string[]): fc.Arbitrary<Buffer> {
  const step = fc.tuple(fc.constantFrom(...Object.keys(MANGLES)), fc.nat(), JUNK)
  return fc
    .tuple(
      fc.shuffledSubarray([...keys], { minLength: 1 }),
      fc.array(step, { minLength: 1, maxLength: 3 }),
    )
    .map(([lines, steps]) =>
      steps.reduce(
        (text, [name, at, junk]) => {
          const mangle = MANGLES[name]
          return mangle === undefined ? text : mangle(text, at % (text.length + 1), junk)
        },
        `# serial: 7\n${lines.map((line, index) => `${line} ca-${index}\n`).join('')}`,
      ),
    )
    .map(text => Buffer.from(text))
}
