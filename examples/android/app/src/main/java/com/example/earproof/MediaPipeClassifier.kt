package com.example.earproof

import android.content.Context
import com.google.mediapipe.tasks.audio.audioclassifier.AudioClassifier
import com.google.mediapipe.tasks.audio.core.RunningMode
import com.google.mediapipe.tasks.components.containers.AudioData
import com.google.mediapipe.tasks.core.BaseOptions

/**
 * The model in MediaPipe Tasks.
 *
 * In clips mode, a window at a time: in stream mode MediaPipe cuts windows that do not overlap, and decides once in a
 * window, not every half second.
 */
class MediaPipeClassifier(context: Context) : WindowClassifier {
    private val format = AudioData.AudioDataFormat.builder()
        .setNumOfChannels(1)
        .setSampleRate(SoundModel.SAMPLE_RATE.toFloat())
        .build()
    private val classifier = AudioClassifier.createFromOptions(
        context,
        AudioClassifier.AudioClassifierOptions.builder()
            .setBaseOptions(BaseOptions.builder().setModelAssetBuffer(readModel(context)).build())
            .setRunningMode(RunningMode.AUDIO_CLIPS)
            .build()
    )

    override fun scores(window: FloatArray): FloatArray {
        val audio = AudioData.create(format, window.size)
        audio.load(window)
        val results = classifier.classify(audio).classificationResults()
        // One sample too many makes a second result.
        check(results.size == 1) { "MediaPipe cut ${window.size} samples into ${results.size} windows; expected 1" }
        val values = FloatArray(SoundModel.LABELS.size)
        // Frame scores, where the model has them, are another head.
        val heads = results[0].classifications().map { it.categories() }
        val categories = checkNotNull(heads.find { it.size == values.size }) {
            "MediaPipe gives ${heads.map { it.size }} scores; expected one for each of ${values.size} labels. Does the " +
                "file's metadata hold a score threshold or calibration? Then take LiteRtClassifier"
        }
        for (category in categories) { // sorted by score
            check(category.categoryName() == SoundModel.LABELS[category.index()]) {
                "MediaPipe calls score ${category.index()} ${category.categoryName()}; SoundModel.kt calls it " +
                    SoundModel.LABELS[category.index()]
            }
            values[category.index()] = category.score()
        }
        return toScores(values, SoundModel.SCORE_TRANSFORM)
    }

    override fun close() = classifier.close()
}
