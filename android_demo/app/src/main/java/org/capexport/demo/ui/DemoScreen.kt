package org.capexport.demo.ui

import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.ExperimentalMaterial3Api
import androidx.compose.material3.PrimaryTabRow
import androidx.compose.material3.Scaffold
import androidx.compose.material3.Tab
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableIntStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import org.capexport.demo.CaptionViewModel
import org.capexport.demo.R

private val TABS = listOf(R.string.tab_photo, R.string.tab_camera, R.string.tab_measure)

/** Three tabs, or the error that keeps the app from captioning. */
@OptIn(ExperimentalMaterial3Api::class) // the tab row, in older releases
@Composable
fun DemoScreen(model: CaptionViewModel) {
    val state by model.state.collectAsStateWithLifecycle()
    var tab by rememberSaveable { mutableIntStateOf(0) }
    Scaffold { inset ->
        Column(Modifier.padding(inset).fillMaxSize()) {
            val error = state.error
            if (error != null) {
                ErrorScreen(error, onRetry = model::retry)
                return@Column
            }
            PrimaryTabRow(selectedTabIndex = tab) {
                TABS.forEachIndexed { index, title ->
                    Tab(
                        selected = tab == index,
                        onClick = { tab = index },
                        text = { Text(stringResource(title)) },
                    )
                }
            }
            when (tab) {
                0 -> PhotoScreen(state, onPick = model::caption)
                1 -> CameraScreen(state.liveCaption, onFrame = model::captionFrame)
                else -> MeasureScreen(state, onMeasure = model::measure)
            }
        }
    }
}
