/** A place to drop files on, and a button that does the same. */
import { h } from '../../ui/dom.js'

export function filePicker(take: (files: readonly File[]) => void): HTMLElement {
  const input = h('input', { type: 'file', id: 'numbers-files', multiple: true, accept: '.npy,.csv,.tsv', class: 'unseen' })
  const zone = h(
    'div',
    { class: 'drop', id: 'numbers-drop' },
    input,
    h('label', { for: 'numbers-files' }, h('strong', {}, 'Choose files'), ' or drop them here'),
    h('p', { class: 'hint shown' }, 'Two .npy files, logits and targets, or one .csv or .tsv with a column “target”. They stay in this page.'),
  )
  const taken = (list: FileList | null | undefined) => {
    const files = Array.from(list ?? [])
    if (files.length > 0) take(files)
  }
  input.addEventListener('change', () => {
    taken(input.files)
    // The same file, mended, can be chosen again
    input.value = ''
  })
  const over = (event: DragEvent) => {
    event.preventDefault()
    zone.classList.add('over')
  }
  zone.addEventListener('dragenter', over)
  zone.addEventListener('dragover', over)
  zone.addEventListener('dragleave', () => zone.classList.remove('over'))
  zone.addEventListener('drop', (event) => {
    event.preventDefault()
    zone.classList.remove('over')
    taken(event.dataTransfer?.files)
  })
  return zone
}
