package org.capexport.demo

import androidx.test.ext.junit.runners.AndroidJUnit4
import androidx.test.platform.app.InstrumentationRegistry
import java.io.File
import org.capexport.android.Captioner
import org.capexport.core.GoldenCaptions
import org.capexport.core.Options
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Test
import org.junit.runner.RunWith

/** On a phone: the captions that Python made, and a report as `capexport bench` writes it. */
@RunWith(AndroidJUnit4::class)
class GoldenTest {
    private val instrumentation = InstrumentationRegistry.getInstrumentation()
    private val app = instrumentation.targetContext
    private val goldens =
        GoldenCaptions { name -> instrumentation.context.assets.open("goldens/$name") }

    @Test
    fun captionsAreThoseOfPython() = Captioner.open(app, "bundle").use { captioner ->
        val cases = goldens.cases(null, captioner.runtime())
        assertTrue(cases.isNotEmpty())
        for (one in cases) {
            assertNull(GoldenCaptions.difference(goldens.caption(captioner.session(), one), one))
        }
    }

    /** `adb pull /sdcard/Android/data/org.capexport.demo/files/bench.json` */
    @Test
    fun aReportIsLeftBehind() = Captioner.open(app, "bundle").use { captioner ->
        assumeTrue("the bundle takes pictures", captioner.session().bundle.manifest.image != null)
        val pixels = goldens.pixels(goldens.cases(null, captioner.runtime()).first())
        val doubts = listOf("an APK with tests in it")
        val report = captioner.measure(pixels, Options.DEFAULT, SAMPLES, doubts)
        File(app.getExternalFilesDir(null), "bench.json").writeText(report)
    }

    private companion object {
        const val SAMPLES = 30
    }
}
