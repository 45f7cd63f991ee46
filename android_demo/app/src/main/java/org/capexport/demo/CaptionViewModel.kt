package org.capexport.demo

import android.app.Application
import android.graphics.Bitmap
import android.net.Uri
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.viewModelScope
import java.util.concurrent.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.capexport.android.Captioner
import org.capexport.android.PhotoReader
import org.capexport.core.Cancellation
import org.capexport.core.CaptionException
import org.capexport.core.Options
import org.capexport.core.Pixels

/** Opens the bundle, captions photos and camera frames, measures. One job at a time. */
class CaptionViewModel(application: Application) : AndroidViewModel(application) {
    private val states = MutableStateFlow(CaptionState())
    val state: StateFlow<CaptionState> = states.asStateFlow()

    // Captions are computed one after the other, so that they do not slow each other down.
    private val worker = Dispatchers.Default.limitedParallelism(1)
    private val photos = PhotoReader(application)

    @Volatile
    private var captioner: Captioner? = null
    private var latest: Pixels? = null

    @Volatile
    private var current = Cancellation()

    init {
        open()
    }

    private fun open() = work {
        states.update { it.copy(opening = true, error = null) }
        captioner = Captioner.open(getApplication<Application>(), BUNDLE)
        states.update { it.copy(opening = false) }
    }

    /** A photo takes the place of the one that is being captioned. */
    fun caption(uri: Uri) {
        current.cancel()
        val own = Cancellation().also { current = it }
        work {
            val photo = photos.read(uri)
            latest = photo.pixels
            states.update { CaptionState(opening = false, photo = photo.preview) }
            caption(photo.pixels, own)
        }
    }

    private fun caption(pixels: Pixels, own: Cancellation) {
        val captioner = captioner ?: return
        val options = Options.DEFAULT.withCancellation(own)
        val found = captioner.caption(pixels, options) { text ->
            states.update { it.copy(caption = text) }
        }
        val took = Took(captioner.runtime().label, found.stepNanos.size, found.totalNanos / 1e6)
        states.update { it.copy(caption = found.text, isWhole = true, took = took) }
    }

    /** A camera frame, on the camera's thread; greedy, since the next frame is coming already. */
    fun captionFrame(frame: Bitmap, turn: Int) {
        val captioner = captioner ?: return
        try {
            val pixels = Captioner.pixels(frame, orientationOf(turn))
            val found = captioner.caption(pixels, Options.DEFAULT.withBeam(1), null)
            states.update { it.copy(liveCaption = found.text) }
        } catch (error: CaptionException) {
            states.update { it.copy(error = error) }
        } catch (closed: IllegalStateException) {
            return // the screen is gone
        }
    }

    fun measure(doubts: List<String>) {
        val own = Cancellation().also { current = it }
        work {
            val captioner = captioner ?: return@work
            val pixels = latest ?: return@work
            states.update { it.copy(measuring = true, report = null) }
            val options = Options.DEFAULT.withCancellation(own)
            val report = captioner.measure(pixels, options, SAMPLES, doubts)
            states.update { it.copy(measuring = false, report = report) }
        }
    }

    private fun work(job: () -> Unit) = viewModelScope.launch(worker) {
        try {
            job()
        } catch (error: CaptionException) {
            states.update { it.copy(opening = false, measuring = false, error = error) }
        } catch (wanted: CancellationException) {
            states.update { it.copy(measuring = false) } // another photo took its place
        }
    }

    /** Back from an error; the bundle is opened again where that was what failed. */
    fun retry() {
        states.update { it.copy(error = null) }
        if (captioner == null) open()
    }

    override fun onCleared() {
        current.cancel()
        captioner?.close()
    }

    companion object {
        const val SAMPLES = 30
        private const val BUNDLE = "bundle"
    }
}
