import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ABI, BLOCK_ELEMENTS, offsets, PROBLEM_BYTES, RESULT_BYTES } from '../../src/backends/layout.js'
import { LARGEST_POWER } from '../../src/problem/constants.js'

const header = readFileSync(new URL('../../cpp/problem.h', import.meta.url), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')

function structOf(name: string): string {
  return new RegExp(`typedef struct ${name} \\{([\\s\\S]*?)\\} ${name};`).exec(header)?.[1] ?? ''
}

/** The fields of a struct in order, with the sizes that C++ gives them. */
function fieldsOf(name: string): { name: string; bytes: number }[] {
  const field = /int32_t ([\w, ]+);|double ([\w, ]+);|FOCAL_POINTER\([^,]+, (\w+)\);/g
  return [...structOf(name).matchAll(field)].flatMap(([, integers, doubles, pointer]) =>
    (integers ?? doubles ?? pointer).split(',').map((field) => ({ name: field.trim(), bytes: integers ? 4 : 8 })),
  )
}

const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

describe('the bytes shared with the kernel', () => {
  it('lie where cpp/problem.h puts them', () => {
    let offset = 0
    const expected: Record<string, number> = {}
    for (const { name, bytes } of fieldsOf('FocalProblem')) {
      offset = Math.ceil(offset / bytes) * bytes
      expected[camel(name)] = offset
      offset += bytes
    }
    expect(offsets).toEqual(expected)
    expect(PROBLEM_BYTES).toBe(offset)
  })

  it('come back as many as cpp/problem.h says', () => {
    expect(RESULT_BYTES).toBe(fieldsOf('FocalResult').length * 8)
    expect(ABI).toBe(Number(/#define FOCAL_ABI (\d+)/.exec(header)?.[1]))
    expect(LARGEST_POWER).toBe(Number(/#define FOCAL_LARGEST_POWER (\S+)/.exec(header)?.[1]))
    expect(BLOCK_ELEMENTS).toBe(Number(/#define FOCAL_BLOCK_ELEMENTS (\d+)/.exec(header)?.[1]))
  })
})
