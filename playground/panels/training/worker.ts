/** Trains in a worker, at the speed that the page asks for. */
import { init } from 'focal-loss'
import { type Command, LAST_STEP, type Snapshot, type Speed } from './protocol.js'
import { Trainer } from './trainer.js'

/** Milliseconds between two looks at messages, and between two snapshots; on slow machines some times as many as a snapshot takes. */
const [TURN, SHOW, SHOW_TIMES] = [50, 200, 3]

export interface TrainingScope {
  onmessage: ((event: MessageEvent<Command>) => void) | null
  postMessage(snapshot: Snapshot): void
}

export function serveTraining(scope: TrainingScope): void {
  const ready = init()
  let trainer: Trainer | undefined
  let speed: Speed | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let shown = 0
  let cost = 0
  let owed = 0

  const show = () => {
    if (trainer === undefined) return
    const begin = performance.now()
    scope.postMessage(trainer.snapshot(speed !== undefined))
    shown = performance.now()
    cost = shown - begin
  }
  const stop = () => {
    speed = undefined
    clearTimeout(timer)
  }
  const turn = () => {
    if (trainer === undefined || speed === undefined) return
    const begin = performance.now()
    if (speed === 'fastest') while (trainer.step < LAST_STEP && performance.now() < begin + TURN) trainer.train()
    else {
      for (owed += (speed * TURN) / 1000; owed >= 1 && trainer.step < LAST_STEP; owed--) trainer.train()
    }
    if (trainer.step >= LAST_STEP) {
      stop()
      show()
      return
    }
    if (performance.now() > shown + Math.max(SHOW, SHOW_TIMES * cost)) show()
    timer = setTimeout(turn, speed === 'fastest' ? 0 : Math.max(0, begin + TURN - performance.now()))
  }

  const obey = (command: Command) => {
    switch (command.kind) {
      case 'reset':
        stop()
        trainer = new Trainer(command.settings)
        show()
        break
      case 'run':
        clearTimeout(timer)
        speed = command.speed
        owed = 0
        turn()
        break
      case 'pause':
        stop()
        show()
        break
      case 'step':
        stop()
        if (trainer !== undefined && trainer.step < LAST_STEP) trainer.train()
        show()
        break
    }
  }
  scope.onmessage = ({ data }) => void ready.then(() => obey(data))
}
