/** The value under a name in a record that came from outside: its own, never one of Object.prototype. */
export function own<V>(record: Readonly<Record<string, V>>, name: string): V | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
