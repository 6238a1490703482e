import { testShapes } from './test-shapes.ts'

testShapes('bookworm')
