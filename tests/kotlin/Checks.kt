package com.example.earproof

import android.media.AudioRecord
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

private lateinit var folder: File

/** Does the tasks in the file `tasks` of a folder, one a line; the files that they read and write lie beside it. */
fun main(arguments: Array<String>) {
    folder = File(arguments[0])
    for (line in File(folder, "tasks").readLines()) {
        val words = line.split(' ')
        val (what, name) = words
        val given = words.drop(2)
        when (what) {
            "ring" -> ring(name, given)
            "spectrogram" -> spectrogram(name, given)
            "transform" -> write(name, toScores(floats("$name.in"), given[0]))
            "decide" -> decide(name, given)
            "listen" -> listen(name)
            "golden" -> golden(name)
            "digest" -> digest(name)
            "constants" -> constants(name)
            else -> throw IllegalArgumentException(line)
        }
    }
}

private fun bytes(name: String): ByteBuffer =
    ByteBuffer.wrap(File(folder, name).readBytes()).order(ByteOrder.LITTLE_ENDIAN)

private fun floats(name: String): FloatArray = bytes(name).asFloatBuffer().let { FloatArray(it.remaining()) { _ -> it.get() } }

private fun write(name: String, values: FloatArray) {
    val buffer = ByteBuffer.allocate(4 * values.size).order(ByteOrder.LITTLE_ENDIAN)
    values.forEach { buffer.putFloat(it) }
    File(folder, name).writeBytes(buffer.array())
}

private fun List<FloatArray>.joined(): FloatArray = flatMap { it.toList() }.toFloatArray()

private fun ring(name: String, given: List<String>) {
    val shorts = bytes("$name.in").asShortBuffer().let { ShortArray(it.remaining()) { _ -> it.get() } }
    val ring = RingBuffer(given[0].toInt())
    var place = 0
    val windows = given.drop(1).map { size ->
        val piece = shorts.copyOfRange(place, place + size.toInt())
        place += piece.size
        ring.load(piece)
        ring.window()
    }
    check(ring.numLoaded == place.toLong())
    write(name, windows.joined())
}

private fun spectrogram(name: String, given: List<String>) {
    val (rate, nFft, hop, win) = given.take(4).map { it.toInt() }
    val settings = SoundModel.FrontEnd(
        false, nFft, hop, win, given[4].toDouble(), given[5], given[6].toInt(), given[7].toDouble(),
        given[8].toDouble(), given[9], given[10], given[11], given[12].toDouble()
    )
    val window = floats("$name.in")
    write(name, Spectrogram(settings, rate, window.size).compute(window))
}

private fun decide(name: String, given: List<String>) {
    val (oneAtATime, windowLength, tickLength, numSmoothed) = given
    val thresholds = given.drop(4).map { it.toDouble() }
    val decider = Decider(thresholds, oneAtATime.toBoolean(), windowLength.toInt(), numSmoothed.toInt())
    val rows = floats("$name.in").toList().chunked(thresholds.size)
    write(name, rows.mapIndexed { tick, row -> line(decider.push(row.toFloatArray(), (tick + 1) * tickLength.toLong())) }.joined())
}

/** The smoothed scores, then 1 for each label that is on. */
private fun line(decision: Decision): FloatArray =
    decision.scores.map { it.toFloat() }.toFloatArray() +
        FloatArray(decision.scores.size) { if (it in decision.on) 1.0f else 0.0f }

/** A classifier that gives the scores of a file, and keeps what it was asked about. */
private class Replayed(private val scores: List<FloatArray>) : WindowClassifier {
    val windows = mutableListOf<FloatArray>()
    var isClosed = false

    override fun scores(window: FloatArray): FloatArray {
        windows.add(window)
        return scores[windows.size - 1]
    }

    override fun close() {
        isClosed = true
    }
}

private fun listen(name: String) {
    AudioRecord.heard = floats("$name.in")
    val classifier = Replayed(floats("$name.scores").toList().chunked(SoundModel.LABELS.size).map { it.toFloatArray() })
    val decisions = mutableListOf<FloatArray>()
    val ended = CountDownLatch(1)
    var error = ""
    SoundListener({ classifier }, { decisions.add(line(it)) }, { error = it.toString(); ended.countDown() }).start()
    check(ended.await(60, TimeUnit.SECONDS))
    write("$name.windows", classifier.windows.joined())
    write(name, decisions.joined())
    File(folder, "$name.text").writeText("$error\n${classifier.isClosed}\n${AudioRecord.opened}\n")
}

private fun golden(name: String) {
    val stream = GoldenStream { File(folder, "tiny-bundle/$it").inputStream() }
    val scores = readNpz(File(folder, "tiny-bundle/${stream.files.expected}").inputStream()).getValue("scores").let { array -> List(stream.numTicks) { array.row(it) } }
    write(name, stream.windows().toList().joined())
    fun changed(change: (Float) -> Float) = scores.mapIndexed { tick, row ->
        if (tick == 1) FloatArray(row.size) { if (it == 0) change(row[it]) else row[it] } else row
    }
    File(folder, "$name.text").writeText(
        listOf(
            stream.difference(scores), stream.difference(changed { it + 9e-6f }), stream.difference(changed { it + 2e-5f }),
            stream.difference(changed { Float.NaN }), stream.difference(scores.drop(1))
        ).joinToString("\n")
    )
    val spectrograms = readNpz(File(folder, "tiny-bundle/${stream.files.spectrograms}").inputStream())
    write("$name.spectrograms", spectrograms.getValue("spectrograms").values.map { it.toFloat() }.toFloatArray())
}

private fun digest(name: String) {
    val content = File(folder, SoundModel.FILE).readBytes()
    checkModel(content)
    content[content.size / 2]++
    try {
        checkModel(content)
    } catch (error: IllegalStateException) {
        File(folder, name).writeText(error.message ?: "")
    }
}

private fun constants(name: String) {
    val other = other.model.SoundModel
    val frontEnd = SoundModel.FRONT_END!!
    val values = listOf(
        SoundModel.FILE, SoundModel.NAME, SoundModel.VERSION, SoundModel.RECIPE, SoundModel.SAMPLE_RATE,
        SoundModel.WINDOW_LENGTH, SoundModel.TICK_LENGTH, SoundModel.ONE_AT_A_TIME, SoundModel.SCORE_TRANSFORM,
        SoundModel.NUM_FRAMES, SoundModel.LABELS.joinToString("\t"), SoundModel.THRESHOLDS.joinToString("\t"),
        frontEnd.insideModel, frontEnd.nFft, frontEnd.hopLength, frontEnd.winLength, frontEnd.power, frontEnd.padMode,
        frontEnd.nMels, frontEnd.fmin, frontEnd.fmax, frontEnd.melScale, frontEnd.melNorm, frontEnd.log, frontEnd.logFloor,
        other.NAME, other.TICK_LENGTH, other.ONE_AT_A_TIME, other.NUM_FRAMES, other.FRAME_HOP_LENGTH,
        other.FRAME_THRESHOLDS.joinToString("\t"), other.LABELS.joinToString("\t"), other.THRESHOLDS.joinToString("\t"),
        other.FRONT_END
    )
    File(folder, name).writeText(values.joinToString("\n"))
}
