package org.capexport.demo.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Button
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.unit.dp
import org.capexport.demo.BuildConfig
import org.capexport.demo.CaptionState
import org.capexport.demo.CaptionViewModel
import org.capexport.demo.R

/** Captions the photo again and again, by the same calls, and shows the report of it. */
@Composable
fun MeasureScreen(state: CaptionState, onMeasure: (List<String>) -> Unit) {
    val debugBuild = stringResource(R.string.debug_build)
    Column(
        Modifier.fillMaxSize().padding(16.dp).verticalScroll(rememberScrollState()),
        Arrangement.spacedBy(16.dp),
    ) {
        Text(stringResource(R.string.measure_first, CaptionViewModel.SAMPLES))
        Button(
            onClick = { onMeasure(if (BuildConfig.DEBUG) listOf(debugBuild) else emptyList()) },
            enabled = state.isWhole && !state.measuring,
            modifier = Modifier.fillMaxWidth(),
        ) {
            Text(stringResource(if (state.measuring) R.string.measuring else R.string.measure))
        }
        state.report?.let { report ->
            ShareButton(stringResource(R.string.report_share), report, "application/json")
            Text(report, fontFamily = FontFamily.Monospace)
        }
    }
}
