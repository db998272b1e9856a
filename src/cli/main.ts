#!/usr/bin/env node
/** The command line: `focal-loss doctor`, `focal-loss selftest`, `focal-loss bench`, `focal-loss explain` and `focal-loss calibrate`. */
import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { reasonOf } from '../errors.js'
import { addBenchCommand } from './bench/command.js'
import { doctor } from './doctor/doctor.js'
import { addCalibrateCommand } from './calibrate/command.js'
import { addExplainCommand } from './explain/command.js'
import { printable } from './output/printable.js'
import { selftest } from './selftest/selftest.js'

const USAGE = 2

const program = new Command('focal-loss')
  .description('Tools of the package focal-loss: check the installation, measure speed, analyse losses and scores, and calibrate scores.')
  .version(packageJson.version)
  .showHelpAfterError('(focal-loss --help lists the commands)')
  .exitOverride()

program
  .command('doctor')
  .description('list the backends, and for each that cannot run, why and what to do; status 1 if no call can run')
  .option('--json', 'print JSON')
  .action((options: { json?: true }) => {
    const { text, healthy } = doctor(options.json)
    print(text)
    if (!healthy) process.exitCode = 1
  })

program
  .command('selftest')
  .description('check every backend against golden values and finite differences; status 1 if one is wrong')
  .option('--json', 'print JSON')
  .action((options: { json?: true }) => {
    const { text, passed } = selftest(options.json)
    print(text)
    if (!passed) process.exitCode = 1
  })

addBenchCommand(program, print)
addExplainCommand(program, print)
addCalibrateCommand(program, print)

// A reader such as head closes the pipe early. That is not an error
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  process.stderr.write(`focal-loss: standard output could not be written (${error.message})\n`)
  process.exit(1)
})

try {
  if (process.argv.length <= 2) {
    program.outputHelp({ error: true })
    process.exitCode = USAGE
  } else {
    await program.parseAsync()
  }
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version end well; everything else commander stops at is wrong usage
    process.exitCode = error.exitCode === 0 ? 0 : USAGE
  } else {
    process.stderr.write(`focal-loss: ${printable(reasonOf(error))}\n`)
    process.exitCode = 1
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
