/** The cells of every row of the tables below `heading`, without the head. */
export function tableRows(page: string, heading: RegExp): string[][] {
  const sections = page.split(/^(?=## )/m).filter(section => heading.test(section))
  return sections.flatMap(section => {
    const lines = section.split('\n').filter(line => line.startsWith('| `'))
    return lines.map(line =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map(cell => cell.trim()),
    )
  })
}

export const bare = (cell = '') => cell.replaceAll('`', '')
