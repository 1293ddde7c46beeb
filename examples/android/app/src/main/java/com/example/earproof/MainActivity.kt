package com.example.earproof

import android.Manifest
import android.app.Activity
import android.content.pm.PackageManager
import android.os.Bundle
import android.widget.TextView

/** Shows every label with its score, marked where it is on. */
class MainActivity : Activity() {
    private lateinit var text: TextView
    private var listener: SoundListener? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        text = TextView(this)
        text.textSize = 24f
        text.fitsSystemWindows = true // else the status bar covers it
        setContentView(text)
        if (!mayRecord()) requestPermissions(arrayOf(Manifest.permission.RECORD_AUDIO), 0)
    }

    override fun onResume() {
        super.onResume()
        if (!mayRecord()) {
            text.text = "This app may not use the microphone. Allow it in the system settings."
            return
        }
        // LiteRtClassifier(this) is the other way, and the only one for a file that takes a spectrogram.
        listener = SoundListener({ MediaPipeClassifier(this) }, ::show, ::showError).also { it.start() }
    }

    override fun onPause() {
        listener?.stop()
        listener = null
        super.onPause()
    }

    private fun mayRecord(): Boolean =
        checkSelfPermission(Manifest.permission.RECORD_AUDIO) == PackageManager.PERMISSION_GRANTED

    private fun show(decision: Decision) {
        val lines = SoundModel.LABELS.mapIndexed { label, name ->
            "%s %.2f %s".format(if (label in decision.on) "\u25cf" else "\u25cb", decision.scores[label], name)
        }
        runOnUiThread { text.text = lines.joinToString("\n") }
    }

    private fun showError(error: Exception) {
        runOnUiThread { text.text = error.toString() }
    }
}
