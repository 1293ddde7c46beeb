package com.example.earproof

import androidx.test.ext.junit.runners.AndroidJUnit4
import androidx.test.platform.app.InstrumentationRegistry
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith

/** On a phone or an emulator: the app gives the scores of the desk. Of the bundle, manifest.json and golden are in the assets. */
@RunWith(AndroidJUnit4::class)
class GoldenStreamTest {
    private val instrumentation = InstrumentationRegistry.getInstrumentation()
    private val app = instrumentation.targetContext
    private fun open(name: String) = instrumentation.context.assets.open(name)

    @Test
    fun liteRtGivesTheScoresOfTheDesk() = check(LiteRtClassifier(app))

    @Test
    fun mediaPipeGivesTheScoresOfTheDesk() {
        if (SoundModel.FRONT_END?.insideModel == false) return // MediaPipe takes no spectrogram
        check(MediaPipeClassifier(app))
    }

    @Test
    fun theSpectrogramIsThatOfTheDesk() {
        val frontEnd = SoundModel.FRONT_END
        if (frontEnd == null || frontEnd.insideModel) return
        val stream = GoldenStream(::open)
        val expected = readNpz(open(stream.files.spectrograms)).getValue("spectrograms")
        val spectrogram = Spectrogram(frontEnd, SoundModel.SAMPLE_RATE, SoundModel.WINDOW_LENGTH)
        stream.windows().take(expected.shape[0]).forEachIndexed { tick, window ->
            val golden = expected.row(tick)
            val largest = golden.fold(0.0f) { one, other -> maxOf(one, Math.abs(other)) }
            val found = spectrogram.compute(window)
            for (place in golden.indices) {
                assertTrue("tick $tick, value $place", Math.abs(found[place] - golden[place]) <= 1e-4f * largest)
            }
        }
    }

    private fun check(classifier: WindowClassifier) = classifier.use {
        val stream = GoldenStream(::open)
        assertEquals(null, stream.difference(stream.windows().map { window -> it.scores(window) }.toList()))
    }
}
